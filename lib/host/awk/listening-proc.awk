# Of /proc/net/tcp and tcp6: the ports on which something listens, on an address that is not loopback, in one line.

$4 != "0A" || $2 ~ /^(00000000000000000000000001000000|(0000000000000000FFFF0000)?......7F):/ { next }
{
  port = 0
  for (i = length($2) - 3; i <= length($2); i++) port = port * 16 + index("123456789ABCDEF", substr($2, i, 1))
  if (!seen[port]++) ports = ports " " port
}
END { print substr(ports, 2) }
