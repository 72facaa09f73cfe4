// Sends a byte to a TCP echo and waits for it, again and again.
// Usage:  node round-trips.mjs ADDRESS PORT COUNT
// Prints: the median of the round trips, in microseconds
import { createConnection } from "node:net";
import process from "node:process";

const [host, port, count] = process.argv.slice(2);
const times = [];
const socket = createConnection({ host, port: Number(port), noDelay: true });
let begin;
const send = () => {
  begin = process.hrtime.bigint();
  socket.write("x");
};
socket.on("connect", send);
socket.on("data", () => {
  times.push(Number(process.hrtime.bigint() - begin) / 1000);
  if (times.length < Number(count)) {
    send();
  } else {
    socket.destroy();
    process.stdout.write(String(times.sort((a, b) => a - b)[times.length >> 1]));
  }
});
