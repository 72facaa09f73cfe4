// Knocks every 20 ms, in each round at one TCP port and one UDP port over IPv4 and IPv6, and remembers who was let in.
// Usage:  node probe-rounds.mjs IPV4 IPV6 TCP-PORT UDP-PORT     until its standard input ends
// Prints: "ready" once it knocks; at the end a JSON object: `rounds`, and for each kind the rounds that were answered
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";
import process from "node:process";
import { clearInterval, setImmediate, setInterval, setTimeout } from "node:timers";

const [ipv4, ipv6, tcpPort, udpPort] = process.argv.slice(2);
const everyMs = 20;
/** Less than the second after which the kernel would knock again by itself. */
const patienceMs = 800;

let rounds = 0;
const answered = { tcp4: [], tcp6: [], udp4: [], udp6: [] };

/** Any answer counts, also a refusal. */
function knockTcp(kind, host, round) {
  const socket = createConnection({ host, port: Number(tcpPort) });
  const finish = () => socket.destroy();
  const count = () => {
    answered[kind].push(round);
    finish();
  };
  socket.on("connect", count);
  socket.on("error", count);
  // What arrived while this program was busy is read before the socket is closed.
  setTimeout(() => setImmediate(finish), patienceMs).unref();
}

function udpKnocker(kind, host) {
  const socket = createSocket(kind);
  socket.on("message", (message) => answered[kind].push(Number(message)));
  socket.on("error", () => answered[kind].push(rounds));
  return (round) => socket.send(String(round), Number(udpPort), host);
}

const knockUdp4 = udpKnocker("udp4", ipv4);
const knockUdp6 = udpKnocker("udp6", ipv6);
const timer = setInterval(() => {
  const round = rounds++;
  knockTcp("tcp4", ipv4, round);
  knockTcp("tcp6", ipv6, round);
  knockUdp4(round);
  knockUdp6(round);
}, everyMs);
process.stdout.write("ready\n");

process.stdin.resume();
process.stdin.on("end", () => {
  clearInterval(timer);
  setTimeout(() => {
    process.stdout.write(JSON.stringify({ rounds, answered }), () => process.exit());
  }, patienceMs + 200);
});
