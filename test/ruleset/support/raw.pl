# Sends a packet of each protocol to each address, PROTOCOL ADDRESS[%INTERFACE]..., and prints what the kernel answered: sent, or the
# error.
use strict;
use Errno qw(EADDRNOTAVAIL EPERM);
use Socket qw(:DEFAULT inet_pton AF_INET6 pack_sockaddr_in6);
use constant SO_BINDTODEVICE => 25;
my @words;
while (my ($protocol, $end) = splice(@ARGV, 0, 2)) {
  my ($address, $interface) = split /%/, $end;
  my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
  my $number = inet_pton($family, $address);
  my $to = $family == AF_INET6 ? pack_sockaddr_in6(0, $number) : pack_sockaddr_in(0, $number);
  socket(my $socket, $family, SOCK_RAW, $protocol) or die "socket: $!";
  if ($interface) { setsockopt($socket, SOL_SOCKET, SO_BINDTODEVICE, $interface) or die "interface: $!" }
  my $sent;
  # The link-local address of a new interface can be used after a second.
  for (1 .. 50) {
    $sent = send($socket, 'x' x 40, 0, $to);
    last if defined $sent || $! != EADDRNOTAVAIL;
    select(undef, undef, undef, 0.1);
  }
  push @words, defined $sent ? 'sent' : $! == EPERM ? 'EPERM' : "$!";
}
print join(' ', @words), "\n";
