/** A file system of its own for a lab host's state and init scripts, which loses what was not synced when the power is cut. */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Host, machine } from "../../lab/lab";
import { eventually } from "../../support/eventually";

export type FileSystem = "ext4" | "xfs" | "btrfs";

const MEGABYTES: Record<FileSystem, number> = { ext4: 32, xfs: 320, btrfs: 160 };
const MAKE: Record<FileSystem, string> = { ext4: "mkfs.ext4 -q", xfs: "mkfs.xfs -q -f", btrfs: "mkfs.btrfs -q -f" };

/** What of a host lies there: where the host has it, by its name on the disk. */
const PLACES = { state: "/var/lib/ssh-only-firewall", "init.d": "/etc/init.d", "rcS.d": "/etc/rcS.d" };

/** For a lab host: mounts its disk, if it has one. */
export const MOUNT_AT_BOOT = `
if [ -e /etc/lab-disk ]; then
  read -r number type </etc/lab-disk
  mknod /dev/lab-disk b 7 "$number"
  mkdir -p /disk
  mount -t "$type" /dev/lab-disk /disk
${Object.entries(PLACES)
  .map(([name, place]) => `  mkdir -p ${place}; mount --bind /disk/${name} ${place}`)
  .join("\n")}
fi`;

export class Disk {
  public static async make(type: FileSystem, folder: string): Promise<Disk> {
    const image = path.join(folder, `${type}.img`);
    await machine.exec(`truncate -s ${MEGABYTES[type]}M ${image} && ${MAKE[type]} ${image}`, { env: ENV });
    const disk = new Disk(type, image, path.join(folder, type));
    fs.mkdirSync(disk.held);
    disk.loop = (await machine.exec(["losetup", "-f", "--show", image], { env: ENV })).stdout.trim();
    await disk.hold();
    const names = Object.keys(PLACES).map((name) => `${disk.held}/${name}`);
    await machine.exec(`mkdir -m 0755 ${names.join(" ")} && chmod 0700 ${disk.held}/state && sync -f ${disk.held}`);
    return disk;
  }

  private loop = "";

  private constructor(
    public readonly type: FileSystem,
    private readonly image: string,
    /** Mounted there too, so that the end of a host unmounts nothing, which would write everything. */
    private readonly held: string,
  ) {}

  /** A line of /etc/lab-disk. */
  public get line(): string {
    return `${this.loop.replace("/dev/loop", "")} ${this.type}`;
  }

  /** What was not on the disk at this moment is lost, and the host is off. */
  public async cut(host: Host): Promise<void> {
    if (this.type !== "btrfs") {
      await machine.exec(["xfs_io", "-x", "-c", "shutdown", this.held], { env: ENV });
      await host.stop();
      await machine.exec(["umount", this.held]);
      await this.hold();
      return;
    }
    // It cannot be shut down: its image, copied while nothing is written to it, once nobody runs who could sync.
    await host.stop();
    const copy = `${this.image}.copy`;
    await eventually("nothing was written during the copy", async () => {
      const before = this.written();
      await machine.exec(["cp", "--sparse=always", this.image, copy]);
      return this.written() === before;
    });
    await machine.exec(`umount ${this.held} && losetup -d ${this.loop} && mv ${copy} ${this.image}`, { env: ENV });
    await machine.exec(["losetup", this.loop, this.image], { env: ENV });
    await this.hold();
  }

  public async remove(): Promise<void> {
    await machine.exec(`umount ${this.held}; losetup -d ${this.loop}`, { check: false, env: ENV });
  }

  private hold(): Promise<unknown> {
    return machine.exec(["mount", "-t", this.type, this.loop, this.held], { env: ENV });
  }

  private written(): string {
    return fs
      .readFileSync(`/sys/block/${path.basename(this.loop)}/stat`, "utf8")
      .trim()
      .split(/\s+/)
      .slice(4)
      .join();
  }
}

const ENV = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
