# Prints the range of addresses that must come through IPsec and has the address of the client, from what `ip xfrm policy` lists.
# Called with -v address.

BEGIN { count = groups(address, ours) }
$1 == "src" { source = $2 }
# What has no template passes without IPsec.
$1 == "tmpl" && covers(source) { print source; exit }
