# Sends UDP packets from random addresses (198.18.0.0/15, which is for benchmarks) to random ports, as fast as it can.
# Usage:  perl flood.pl ADDRESS COUNT     as root
# Prints: seconds that it took, and seconds of processor time that the whole machine was busy meanwhile
use strict;
use warnings;
use Socket;
use Time::HiRes qw(time);

my ($address, $count) = @ARGV;
my $target = inet_aton($address);
my $to = sockaddr_in(0, $target);
socket(my $socket, PF_INET, SOCK_RAW, 255) or die "no raw socket: $!";

sub busy {
    open(my $file, '<', '/proc/stat') or die "no /proc/stat: $!";
    my ($user, $nice, $system, undef, undef, $irq, $softirq) = (split ' ', <$file>)[1 .. 7];
    return ($user + $nice + $system + $irq + $softirq) / 100;
}

my $payload = 'x' x 18;
my $length = 8 + length $payload;
my ($begin, $busy) = (time, busy());
for (1 .. $count) {
    my $from = pack 'N', 0xc6120000 + int rand 0x20000;
    # The kernel fills in the sums, and the length of the whole.
    my $packet = pack('CCnnnCCna4a4', 0x45, 0, 0, 0, 0, 64, 17, 0, $from, $target)
        . pack('nnnn', 1024 + int rand 60000, 1024 + int rand 60000, $length, 0) . $payload;
    # A full queue is no reason to stop.
    send($socket, $packet, 0, $to);
}
printf "%.3f %.3f\n", time - $begin, busy() - $busy;
