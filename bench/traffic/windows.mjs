// Counts what a device receives in many short windows, while two commands take turns before each.
// Usage:  node windows.mjs DEVICE WINDOWS COMMAND COMMAND
// Prints: for each command the bytes a second of its windows, as JSON
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

const [device, windows, ...commands] = process.argv.slice(2);
/** Until what the command itself has disturbed is over. */
const RESTS = 30;
const LASTS = 40;

const received = () => {
  const line = readFileSync("/proc/self/net/dev", "utf8").split(`${device}:`)[1];
  return [Number(line.trim().split(/\s+/)[0]), process.hrtime.bigint()];
};
const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

const rates = commands.map(() => []);
for (let window = 0; window < Number(windows); window++) {
  const order = window % 2 === 0 ? [0, 1] : [1, 0];
  for (const index of order) {
    const { status, stderr } = spawnSync("sh", ["-c", commands[index]]);
    if (status !== 0) {
      throw new Error(`${commands[index]}: ${stderr}`);
    }
    sleep(RESTS);
    const [before, begin] = received();
    sleep(LASTS);
    const [after, end] = received();
    rates[index].push((after - before) / (Number(end - begin) / 1e9));
  }
}
process.stdout.write(JSON.stringify(rates));
