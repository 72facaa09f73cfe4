#!/bin/sh
# The packed tarball on each Node, whose binaries npm has as packages: both entries write a configuration, the fleet's app too, and the
# command line runs. Usage: nodes.sh [MAJOR...]
set -eu
[ $# -gt 0 ] || set -- 22 24 26
root=$(cd "$(dirname "$0")/../.." && pwd)
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$root"
npm pack --silent --pack-destination "$folder" > /dev/null
cd "$folder"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund ./*.tgz cdktn@0.24.0
printf 'tracker: terraform_data\nhosts: { web-1: 192.0.2.10 }\n' > fleet.yaml
cat > app.js << 'EOF'
const [framework, entry] = process.argv.slice(2);
const { App, TerraformStack } = require(framework);
const { SshOnlyFirewall } = require(entry);
const app = new App({ outdir: `out-${framework}` });
new SshOnlyFirewall(new TerraformStack(app, "old"), "fleet", { hosts: { "web-1": "192.0.2.10" } });
app.synth();
EOF
for major in "$@"; do
  mkdir -p "node-$major"
  (cd "node-$major" && echo '{ "private": true }' > package.json && npm install --silent --no-audit --no-fund "node-linux-$arch@$major")
  node=$folder/node-$major/node_modules/node-linux-$arch/bin/node
  own=node_modules/cdktf-ssh-only-firewall
  rm -rf out-* cdktf.out
  "$node" app.js cdktf cdktf-ssh-only-firewall
  "$node" app.js cdktn cdktf-ssh-only-firewall/cdktn
  "$node" "$own/dist/bin/fleet.js"
  "$node" "$own/dist/bin/ssh-only-firewall.js" validate
  for stack in out-cdktf/stacks/old out-cdktn/stacks/old cdktf.out/stacks/fleet; do
    grep -q 192.0.2.10 "$stack/cdk.tf.json"
  done
  echo "Node $("$node" --version): both entries, the fleet and the command line run."
done
