/** Fits a long document into a limit: what frames it always stays, rows are left out from the end, whole and counted. */

/** A part of a document: rows between two frames. Neither a frame nor a row ends with a newline. */
export interface Section {
  readonly head: string;
  readonly rows: readonly string[];
  readonly tail: string;
  /** Stands for the rows that were left out. @default - a line of its own that counts them */
  readonly leftOut?: (count: number) => string;
  /** Where the room is short, it may be left out as a whole. @default false */
  readonly optional?: boolean;
}

const COUNTED = (count: number): string => `… and ${count} more, left out because of the length`;

/** @param droppedNote says how many optional sections were left out. */
export function fit(sections: readonly Section[], limit: number, droppedNote: (count: number) => string): string {
  const frameOf = (one: Section): number =>
    one.head.length + one.tail.length + (one.leftOut ?? COUNTED)(one.rows.length).length + 3;
  const reserved = sections.filter((one) => one.optional !== true).reduce((sum, one) => sum + frameOf(one), 0);
  let room = limit - reserved - droppedNote(sections.length).length - 1;
  let dropped = 0;
  const parts = sections.flatMap((one) => {
    const frame = one.optional === true ? frameOf(one) : 0;
    if (one.optional === true && frame + (one.rows[0]?.length ?? 0) + 1 > room) {
      dropped += 1;
      return [];
    }
    room -= frame;
    const rows: string[] = [];
    for (const row of one.rows) {
      if (row.length + 1 > room) {
        break;
      }
      rows.push(row);
      room -= row.length + 1;
    }
    const left = one.rows.length - rows.length;
    return [one.head, ...rows, ...(left === 0 ? [] : [(one.leftOut ?? COUNTED)(left)]), one.tail].filter(
      (part) => part !== "",
    );
  });
  return `${[...parts, ...(dropped === 0 ? [] : [droppedNote(dropped)])].join("\n")}\n`;
}
