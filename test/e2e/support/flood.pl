# Sends packets from addresses and to ports that nobody has chosen, as raw frames of IPv4 and IPv6: TCP, UDP, and protocols
# without ports. Meant for an address of the lab's own networks.
# Usage: perl flood.pl IPV4 IPV6 COUNT SEED
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in pack_sockaddr_in6);

my ($ipv4, $ipv6, $count, $seed) = @ARGV;
srand $seed;
my $raw = 255;    # headers are ours
my $burst = 100;  # then the receiver gets time, or it would lose some

socket my $four, AF_INET, SOCK_RAW, $raw or die "socket: $!";
socket my $six, AF_INET6, SOCK_RAW, $raw or die "socket: $!";
my $to_four = pack_sockaddr_in 0, inet_pton(AF_INET, $ipv4);
my $to_six = pack_sockaddr_in6 0, inet_pton(AF_INET6, $ipv6);

sub port { 1 + int rand 65535 }
sub bytes { pack 'C*', map { int rand 256 } 1 .. $_[0] }

sub payload {
  my ($protocol) = @_;
  return pack 'nnNNCCnnn', port(), port(), rand 2**32, 0, 0x50, 0x02, 1024, 0, 0 if $protocol == 6;
  return pack 'nnnn', port(), port(), 8, 0 if $protocol == 17;
  return bytes 16;
}

for my $sent (1 .. $count) {
  my $protocol = (6, 17, 6, 17, 6, 17, 47, 50)[rand 8];
  my $body = payload $protocol;
  if (rand() < 0.7) {
    # 11.0.0.0 to 99.255.255.255: nobody's in a lab.
    my $from = pack 'C4', 11 + int rand 89, map { int rand 256 } 1 .. 3;
    my $head = pack 'CCnnnCCna4a4', 0x45, 0, 20 + length $body, 0, 0, 64, $protocol, 0, $from, inet_pton(AF_INET, $ipv4);
    send $four, $head . $body, 0, $to_four or die "send: $!";
  } else {
    my $from = inet_pton(AF_INET6, '2001:db8::');
    substr $from, 8, 8, bytes 8;
    my $head = pack 'NnCCa16a16', 0x60000000, length $body, $protocol, 64, $from, inet_pton(AF_INET6, $ipv6);
    send $six, $head . $body, 0, $to_six or die "send: $!";
  }
  select undef, undef, undef, 0.001 if $sent % $burst == 0;
}
