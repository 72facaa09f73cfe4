// One end of connections, run in a network namespace for as long as its standard input stays open. It reads orders, a
// line each, beginning with a number, and answers each with a line: the number and the outcome.
//   N serve PORT...                       answers on these TCP and UDP ports from now on, IPv4 and IPv6
//   N tcp HOST PORT [FROM [FROM_PORT]]    open, timeout, or the error code
//   N udp HOST PORT                       echo, timeout, or the error code
//   N bulk HOST PORT BYTES                how many of these bytes arrived
//   N listen-only HOST PORT               how many of 12 lines arrived, while this end never sends after its first word
/* global Buffer, clearTimeout, console, process, setImmediate, setTimeout */
import dgram from "node:dgram";
import net from "node:net";
import readline from "node:readline";

// Short, so that an answer within it counts as one that came at once.
const GIVE_UP_MS = 250;
const LINES = 12;
const QUIET_MS = 250;
const LINE_MS = 10;

const orders = { serve, tcp, udp, bulk, "listen-only": listenOnly };

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [number, order, ...args] = line.split(" ");
  let open = true;
  orders[order](
    (outcome) => {
      if (open) {
        open = false;
        console.log(number, outcome);
      }
    },
    ...args,
  );
}
process.exit();

function serve(done, ...ports) {
  for (const port of ports) {
    net.createServer(answer).listen({ host: "::", port: Number(port) });
    const socket = dgram.createSocket("udp6", (message, from) => socket.send(message, from.port, from.address, ignore));
    socket.bind(Number(port));
  }
  setTimeout(done, 50, "ready");
}

/** "bulk N" is answered with N bytes, "lines" with twelve lines after a while of silence. */
function answer(socket) {
  socket.on("error", ignore);
  socket.on("data", (data) => {
    const [word, count] = String(data).split(" ");
    if (word === "bulk") {
      socket.end(Buffer.alloc(Number(count), "x"));
    } else {
      for (let line = 0; line < LINES; line++) {
        setTimeout(() => socket.write("line\n"), QUIET_MS + line * LINE_MS);
      }
    }
  });
}

function tcp(done, host, port, localAddress, localPort) {
  const socket = net.connect({ host, port: Number(port), localAddress, localPort: localPort && Number(localPort) });
  giveUp((outcome) => end(done, outcome, socket));
  socket.on("connect", () => end(done, "open", socket));
  socket.on("error", (error) => done(error.code));
}

function udp(done, host, port) {
  const socket = dgram.createSocket(net.isIPv6(host) ? "udp6" : "udp4");
  const close = (outcome) => {
    done(outcome);
    clearTimeout(timer);
    socket.removeAllListeners().on("error", ignore).close();
  };
  const timer = giveUp(close);
  socket.on("message", () => close("echo"));
  socket.on("error", (error) => close(error.code));
  // Connected, because only then does the kernel pass ICMP errors on.
  socket.connect(Number(port), host, () => socket.send("x", (error) => error && close(error.code)));
}

function bulk(done, host, port, bytes) {
  let received = 0;
  const socket = net.connect({ host, port: Number(port) }, () => socket.write(`bulk ${bytes}`));
  socket.on("data", (data) => (received += data.length));
  socket.on("error", ignore);
  socket.on("close", () => done(received));
  setTimeout(() => socket.destroy(), 2000).unref();
}

function listenOnly(done, host, port) {
  let received = "";
  const socket = net.connect({ host, port: Number(port) }, () => socket.write("lines"));
  socket.on("data", (data) => (received += data));
  socket.on("error", ignore);
  setTimeout(() => end(done, received.split("\n").length - 1, socket), QUIET_MS + LINES * LINE_MS + 150);
}

/** On a busy machine the time may be over before this process has seen what has come: it looks once more. */
function giveUp(done) {
  return setTimeout(() => setImmediate(done, "timeout"), GIVE_UP_MS);
}

function end(done, outcome, socket) {
  done(outcome);
  socket.destroy();
}

function ignore() {}
