/**
 * What somebody would write by hand who knows how Terraform spends its time: for_each over locals of about a hundred hosts
 * each, a hold and a lockdown for each host, everything that hosts share once.
 */
import type { Hosts, Job } from "./fleet";

const HOSTS_IN_A_SHARD = 100;

export function leanest(hosts: Hosts, job: Job): object {
  const entries = Object.entries(hosts);
  const shards = Array.from({ length: Math.ceil(entries.length / HOSTS_IN_A_SHARD) }, (_, index) => ({
    name: String(index).padStart(3, "0"),
    hosts: entries.slice(index * HOSTS_IN_A_SHARD, (index + 1) * HOSTS_IN_A_SHARD),
  }));
  const shared = { type: "ssh", user: "root", timeout: "300s" };
  const connection = {
    ...shared,
    host: "${each.value.address}",
    host_key: "${each.value.host_key}",
    private_key: `\${file("${job.privateKeyPath}")}`,
  };
  const ofItself = {
    ...connection,
    host: "${self.triggers_replace.address}",
    host_key: "${self.input.host_key}",
  };
  const run = (inline: string): object => ({ "remote-exec": { inline: [inline], connection } });
  const resources = shards.flatMap(({ name }) => [
    [
      `hold_${name}`,
      {
        for_each: `\${local.hosts_${name}}`,
        triggers_replace: { address: "${each.value.address}" },
        input: { host_key: "${each.value.host_key}" },
        provisioner: [{ "remote-exec": { when: "destroy", inline: [job.unlock], connection: ofItself } }],
      },
    ],
    [
      `lockdown_${name}`,
      {
        for_each: `\${local.hosts_${name}}`,
        triggers_replace: {
          ...job.triggers,
          address: "${each.value.address}",
          hold: `\${local.ids_${name}[each.key]}`,
        },
        provisioner: [run(job.lock), run(job.confirm)],
      },
    ],
  ]);
  const { nftables, iptables, ip6tables } = job.locals;
  return {
    locals: {
      ...job.locals,
      ...Object.fromEntries(shards.map((shard) => [`hosts_${shard.name}`, Object.fromEntries(shard.hosts)])),
      ...Object.fromEntries(
        shards.map(({ name }) => [
          `ids_${name}`,
          `\${{ for key, hold in terraform_data.hold_${name} : key => hold.id }}`,
        ]),
      ),
    },
    resource: {
      terraform_data: {
        ruleset: { triggers_replace: { nftables, iptables, ip6tables } },
        ...Object.fromEntries(resources),
      },
    },
  };
}
