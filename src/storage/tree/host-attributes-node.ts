// What a guest says about its files and the host cannot keep for an ordinary user: owners, special mode bits, device
// nodes, extended attributes. They are lines of JSON in a file at the share's root, by inode number and time of birth,
// so that renaming costs nothing and a hard link shares them; copying the folder loses them.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { S_IFMT } from './file-mode.ts';
import { FileSystemError, fail } from './file-system-error.ts';
import type { Xattrs } from './xattrs.ts';

/** The table's name in the root of a share; guests cannot see or touch it. */
export const ATTRIBUTES_FILE = '.hypertab-attributes';
/** Largest table that is read, in bytes, and that a guest can make. */
const LARGEST = 64 * 1024 ** 2;
/** Lines beyond twice the records and this many are worth writing the table anew. */
const SLACK = 1000;

/** What differs from the host's own idea of a file. */
export interface HostRecord {
  /** Type and permissions. */
  mode?: number;
  uid?: number;
  gid?: number;
  device?: number;
  xattrs?: Xattrs;
}

interface Line {
  key: string;
  mode?: number;
  uid?: number;
  gid?: number;
  device?: number;
  xattrs?: [string, string][];
  gone?: true;
}

/** The table of one share. */
export class HostAttributes {
  private readonly records = new Map<string, HostRecord>();
  private readonly path: string;
  private readonly readonly: boolean;
  private fd: number | undefined;
  private lines = 0;
  private bytes = 0;

  /** @throws FileSystemError EIO when there is a table that is damaged or no regular file */
  constructor(directory: string, readonly: boolean) {
    this.path = `${directory}/${ATTRIBUTES_FILE}`;
    this.readonly = readonly;
    this.load();
  }

  /** True when some regular file of the host stands for a device, FIFO or socket. */
  get hasSpecialFiles(): boolean {
    return this.special > 0;
  }
  private special = 0;

  get(key: string): HostRecord | undefined {
    return this.records.get(key);
  }

  /** Keeps a record; one without anything in it is removed. */
  set(key: string, record: HostRecord): void {
    const { mode, uid, gid, device, xattrs } = record;
    const empty =
      mode === undefined && uid === undefined && gid === undefined && device === undefined && !xattrs?.size;
    if (empty && !this.records.has(key)) return;
    if (empty) {
      this.delete(key);
      return;
    }
    this.append({ key, mode, uid, gid, device, ...(xattrs?.size ? { xattrs: [...xattrs] } : {}) });
    this.put(key, record);
  }

  delete(key: string): void {
    if (!this.records.has(key)) return;
    this.append({ key, gone: true });
    this.remove(key);
  }

  sync(): void {
    if (this.fd !== undefined) fdatasyncSync(this.fd);
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private put(key: string, record: HostRecord): void {
    this.remove(key);
    this.records.set(key, record);
    if (isSpecial(record)) this.special++;
  }

  private remove(key: string): void {
    const old = this.records.get(key);
    if (old !== undefined && isSpecial(old)) this.special--;
    this.records.delete(key);
  }

  private load(): void {
    let fd: number;
    try {
      fd = openSync(this.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw damaged(this.path, (error as Error).message);
    }
    try {
      const info = fstatSync(fd);
      if (!info.isFile() || info.size > LARGEST) throw damaged(this.path, 'it is no file of that kind');
      for (const text of readFileSync(fd, 'utf8').split('\n')) {
        // The last line may be cut off, when the host crashed.
        const line = parse(text);
        if (line === undefined) continue;
        this.lines++;
        if (line.gone) {
          this.remove(line.key);
          continue;
        }
        const { key, xattrs, ...record } = line;
        this.put(key, xattrs === undefined ? record : { ...record, xattrs: new Map(xattrs) });
      }
      this.bytes = info.size;
    } finally {
      closeSync(fd);
    }
  }

  private append(line: Line): void {
    if (this.readonly) fail('EROFS');
    if (this.lines > 2 * this.records.size + SLACK) this.rewrite();
    const text = `${JSON.stringify(line)}\n`;
    if (this.bytes + text.length > LARGEST) fail('ENOSPC', `${this.path} is full`);
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    this.fd ??= openSync(this.path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    // A line that was cut off must not swallow this one.
    if (this.lines === 0 && this.bytes > 0) writeSync(this.fd, '\n');
    writeSync(this.fd, text);
    this.bytes += text.length;
    this.lines++;
  }

  /** Leaves only what still holds; a crash in the middle leaves the old table. */
  private rewrite(): void {
    this.close();
    const draft = `${this.path}.new`;
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const fd = openSync(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      const lines = [...this.records].map(([key, { xattrs, ...record }]) =>
        JSON.stringify({ key, ...record, ...(xattrs?.size ? { xattrs: [...xattrs] } : {}) }),
      );
      const text = lines.map((line) => `${line}\n`).join('');
      writeSync(fd, text);
      fdatasyncSync(fd);
      this.lines = lines.length;
      this.bytes = text.length;
    } finally {
      closeSync(fd);
    }
    renameSync(draft, this.path);
  }
}

const isSpecial = ({ mode }: HostRecord) =>
  mode !== undefined && [0o010000, 0o020000, 0o060000, 0o140000].includes(mode & S_IFMT);

const damaged = (path: string, why: string) =>
  new FileSystemError(
    'EIO',
    `${path} cannot be read (${why}); remove it to lose what guests said of their files`,
  );

/** A line of the table, or undefined when it is none: the file is as trustworthy as the folder it is in. */
function parse(text: string): Line | undefined {
  let line: Partial<Record<keyof Line, unknown>>;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof line !== 'object' || line === null || typeof line.key !== 'string') return undefined;
  for (const field of ['mode', 'uid', 'gid', 'device'] as const) {
    const value = line[field];
    if (
      value !== undefined &&
      !(Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32)
    ) {
      return undefined;
    }
  }
  const { xattrs } = line;
  const right = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');
  if (xattrs !== undefined && !(Array.isArray(xattrs) && xattrs.every(right))) return undefined;
  return line as Line;
}
