# Of `ss -ltn`: the ports on which something listens, on an address that is not loopback, in one line.

$NF !~ /:\*$/ || $(NF - 1) ~ /^(127|\[?::ffff:127|\[?::1\]?:[0-9]+$)/ { next }
{ sub(/.*:/, "", $(NF - 1)) }
!seen[$(NF - 1)]++ { ports = ports " " $(NF - 1) }
END { print substr(ports, 2) }
