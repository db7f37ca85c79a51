// The benchmark workloads of guests/bench: what there is, and how their programs take parameters and give results.

/** An entry of guests/bench/workloads.json. */
export interface Workload {
  name: string;
  title: string;
  kind: 'cryptography' | 'integer' | 'calls' | 'memory' | 'float';
  /** Repetitions that take a Wasm engine about 60 ms. */
  n: number;
  /** Result of run(n), 16 hexadecimal digits: the same on every machine. */
  checksum: string;
}

/** One run of a workload. */
export interface WorkloadPass {
  checksum: string;
  /** Milliseconds on the clock of the machine that ran it. */
  ms: number;
}

/** A workload's file or output is not what it should be. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError';
}

/** Where a bare-metal image begins; N and the number of passes lie behind its first jump (start/bare.c). */
const IMAGE_START = 0x8000_0000n;
const PT_LOAD = 1;

/**
 * Returns a copy of a bare-metal workload (ELF64) that runs `passes` times with `n`, then powers off.
 * @throws {WorkloadError} when the file is no such image
 */
export function withParameters(image: Uint8Array, n: number, passes: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(image);
  const view = new DataView(copy.buffer);
  try {
    // Elf64_Ehdr: e_phoff at 32, e_phentsize at 54, e_phnum at 56. Elf64_Phdr: p_offset at 8, p_vaddr at 16.
    for (let index = 0; index < view.getUint16(56, true); index++) {
      const header = Number(view.getBigUint64(32, true)) + index * view.getUint16(54, true);
      if (view.getUint32(header, true) !== PT_LOAD) continue;
      if (view.getBigUint64(header + 16, true) !== IMAGE_START) continue;
      const offset = Number(view.getBigUint64(header + 8, true));
      view.setBigUint64(offset + 8, BigInt(n), true);
      view.setBigUint64(offset + 16, BigInt(passes), true);
      return copy;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new WorkloadError('this is no bare-metal workload: no segment of it starts at 0x80000000');
}

/**
 * Reads what a workload's program printed: a line for each pass.
 * @throws {WorkloadError} when there are not `passes` of them
 */
export function parsePasses(output: string, passes: number): WorkloadPass[] {
  const found = [...output.matchAll(/^checksum ([0-9a-f]{16}) ns (\d+)\r?$/gm)];
  if (found.length !== passes) {
    throw new WorkloadError(
      `the workload printed ${found.length} results instead of ${passes}: ${JSON.stringify(output.slice(0, 200))}`,
    );
  }
  return found.map(([, checksum, ns]) => ({ checksum: checksum!, ms: Number(ns) / 1e6 }));
}

/** Runs a workload's Wasm twin on the host, `passes` times. */
export async function runTwin(
  twin: WebAssembly.Instance,
  n: number,
  passes: number,
): Promise<WorkloadPass[]> {
  const run = twin.exports.run;
  if (typeof run !== 'function')
    throw new WorkloadError('this is no twin of a workload: it exports no run()');
  const results: WorkloadPass[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const start = performance.now();
    const checksum: unknown = run(BigInt(n));
    const ms = performance.now() - start;
    if (typeof checksum !== 'bigint') throw new WorkloadError('run() of this twin returns no 64-bit integer');
    results.push({ checksum: BigInt.asUintN(64, checksum).toString(16).padStart(16, '0'), ms });
    // The optimising compiler's threads hand over what they made.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return results;
}
