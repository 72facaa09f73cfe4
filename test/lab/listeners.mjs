// Something for a scan to find: TCP listeners and UDP echoes, on IPv4 and IPv6.
// Usage: node listeners.mjs PORT… PORT/udp…     Prints "ready" when all listen.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import process from "node:process";

async function listen(argument) {
  const port = Number.parseInt(argument, 10);
  if (argument.endsWith("/udp")) {
    const socket = createSocket("udp6"); // IPv4 as well
    socket.on("message", (message, from) => socket.send(message, from.port, from.address));
    socket.bind(port, "::");
    await once(socket, "listening");
  } else {
    const server = createServer((connection) => {
      connection.on("error", () => connection.destroy());
      connection.pipe(connection);
    });
    server.listen(port, "::");
    await once(server, "listening");
  }
}

await Promise.all(process.argv.slice(2).map(listen));
process.stdout.write("ready\n");
