# With no input: the first module that asks a server, of the PAM services in services, each with what it includes, and of the kinds
# in kinds.

function read_pam(name, depth,   path, line, words, count, i) {
  if (depth > 4 || name ~ /\// || name in seen) return
  seen[name] = 1
  path = "/etc/pam.d/" name
  while (found == "" && (getline line < path) > 0) {
    sub(/#.*/, "", line)
    count = split(line, words)
    sub(/^-/, "", words[1])
    if (words[1] == "@include") read_pam(words[2], depth + 1)
    else if (words[2] == "include" || words[2] == "substack") read_pam(words[3], depth + 1)
    else if (index(" " kinds " ", " " words[1] " "))
      for (i = 2; i <= count && found == ""; i++)
        if (match(words[i], /pam_(ldap|krb5|sss|winbind|duo|radius_auth|tacplus|okta|oslogin_login|oslogin_admin)\.so$/))
          found = substr(words[i], RSTART, RLENGTH - 3)
  }
  close(path)
}
BEGIN {
  count = split(services, names)
  for (i = 1; i <= count; i++) read_pam(names[i], 0)
  print found
}
