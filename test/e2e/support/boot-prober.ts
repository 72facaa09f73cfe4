/** Knocks at a port of a host all the time, also while it goes down and comes up, and counts the answers. */
import type { ChildProcess } from "node:child_process";
import { firstLine, type Host } from "../../lab/host";
import type { Lab } from "../../lab/lab";

export interface Probed {
  readonly knocks: number;
  /** Connections that were accepted or refused: something was there, and the firewall was not. */
  readonly answers: number;
}

/** In the controller: as machine code of its own, so that the tests' own work does not hold it up. */
const program = `
  const [port, ...addresses] = process.argv.slice(1);
  const { connect } = require("node:net");
  let knocks = 0, answers = 0;
  const knock = (host) => {
    const socket = connect({ host, port: Number(port) });
    const end = setTimeout(() => socket.destroy(), 1000);
    const done = (answered) => { clearTimeout(end); socket.destroy(); if (answered) answers++; };
    socket.on("connect", () => done(true));
    socket.on("error", (error) => done(error.code === "ECONNREFUSED"));
    knocks++;
  };
  setInterval(() => addresses.forEach(knock), 10);
  console.log("knocking");
  process.stdin.on("end", () => { console.log(JSON.stringify({ knocks, answers })); process.exit(); }).resume();
`;

export class Prober {
  public static async start(lab: Lab, host: Host, port = 4444): Promise<Prober> {
    // Who has to ask for a neighbour first comes late.
    const mac = (await host.exec(["cat", "/sys/class/net/eth0/address"])).stdout.trim();
    for (const address of [host.ipv4, host.ipv6]) {
      await lab.controller.exec(["ip", "neigh", "replace", address, "lladdr", mac, "dev", "br0", "nud", "permanent"]);
    }
    const argv = [process.execPath, "-e", program, "--", String(port), host.ipv4, host.ipv6];
    const child = lab.controller.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] });
    await firstLine(child, "knocking");
    return new Prober(child);
  }

  private constructor(private readonly child: ChildProcess) {}

  /** Ends it. */
  public async stop(): Promise<Probed> {
    let text = "";
    this.child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin?.end();
    await gone;
    return JSON.parse(text) as Probed;
  }
}
