// Tries connections, datagrams and pings, all at once, and says what came of each.
// Usage:  node try-attempts.mjs SECONDS ATTEMPT…     "tcp ADDRESS PORT", "udp ADDRESS PORT" or "ping ADDRESS"
// Prints: a JSON object with, for each attempt, "answered", "no answer" (within SECONDS) or the code of the error.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";
import process from "node:process";
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "node:timers";

const [seconds, ...attempts] = process.argv.slice(2);
const patienceMs = Number(seconds) * 1000;

function tcp(address, port, settle) {
  const socket = createConnection({ host: address, port: Number(port) });
  socket.on("connect", () => settle("answered"));
  socket.on("error", (error) => settle(error.code));
  return () => socket.destroy();
}

// A datagram may be lost on any network, so it is sent again until something comes of it.
function udp(address, port, settle) {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  let timer;
  socket.on("message", () => settle("answered"));
  socket.on("error", (error) => settle(error.code));
  socket.connect(Number(port), address, () => {
    const send = () => socket.send("anybody there?", (error) => error && settle(error.code));
    timer = setInterval(send, 200);
    send();
  });
  return () => {
    clearInterval(timer);
    socket.close();
  };
}

function ping(address, _, settle) {
  const command = address.includes(":") ? "ping6" : "ping";
  const child = spawn("busybox", [command, "-c", "1", "-W", seconds, address], { stdio: "ignore" });
  child.on("exit", (code) => settle(code === 0 ? "answered" : "no answer"));
  return () => child.kill();
}

function outcome(attempt) {
  const [kind, address, port] = attempt.split(" ");
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle("no answer"), patienceMs);
    let settled = false;
    function settle(result) {
      if (!settled) {
        settled = true;
        clearTimeout(timer);
        setImmediate(() => stop());
        resolve([attempt, result]);
      }
    }
    const stop = { tcp, udp, ping }[kind](address, port, settle);
  });
}

process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(attempts.map(outcome)))));
