import { spawnSync } from "node:child_process";
import { emptyFolder, program, run } from "./support/run";

const folder = emptyFolder();
const completion = (shell: string) => run(program("ssh-only-firewall", "completion", shell), folder);

/** What bash offers for the last of the words. */
function offered(script: string, ...words: readonly string[]): readonly string[] {
  const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
    _ssh_only_firewall; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return spawnSync("bash", ["-c", `${script}\n${ask}`], { cwd: folder, encoding: "utf8" })
    .stdout.trim()
    .split("\n");
}

test("bash completes commands, options and their choices", () => {
  const { code, stdout } = completion("bash");
  expect(code).toBe(0);
  expect(offered(stdout, "ssh-only-firewall", "re")).toEqual(["render", "review", "report"]);
  expect(offered(stdout, "ssh-only-firewall", "review", "--fa")).toEqual(["--fail-on"]);
  expect(offered(stdout, "ssh-only-firewall", "status", "--format", "j")).toEqual(["json", "junit"]);
  expect(completion("zsh").stdout).toBe(`autoload -U +X bashcompinit && bashcompinit\n${stdout}`);
});

test("fish gets each command and option with its description", () => {
  const { stdout } = completion("fish");
  expect(stdout).toContain(
    "complete -c ssh-only-firewall -n __fish_use_subcommand -f -a review -d 'show what a Terraform plan",
  );
  expect(stdout).toMatch(
    /^complete .* -n '__fish_seen_subcommand_from review' -l format -x -a 'markdown github json' -d /m,
  );
});
