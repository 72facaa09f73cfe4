// Sends a numbered datagram to an echo every millisecond, and counts those that did not come back.
// Usage:  node datagrams.mjs ADDRESS PORT     until its standard input ends
// Prints: "ready" once it sends; at the end a JSON object: `sent` and `lost`
import { createSocket } from "node:dgram";
import process from "node:process";
import { clearInterval, setInterval, setTimeout } from "node:timers";

const [address, port] = process.argv.slice(2);
const socket = createSocket("udp4");
const back = new Set();
let sent = 0;
socket.on("message", (message) => back.add(Number(message)));
const timer = setInterval(() => socket.send(String(sent++), Number(port), address), 1);
process.stdout.write("ready\n");

process.stdin.resume();
process.stdin.on("end", () => {
  clearInterval(timer);
  setTimeout(() => process.stdout.write(JSON.stringify({ sent, lost: sent - back.size }), () => process.exit()), 1000);
});
