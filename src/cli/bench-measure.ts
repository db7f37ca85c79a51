// One measurement of each kind of benchmark.
import { resolveGuestNode } from '../guests/prepare-node.ts';
import { parsePasses, runTwin, type Workload, type WorkloadPass } from '../guests/workloads.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { describeReason, waitForPrompt } from '../hypervisor/prompt.ts';
import type { Engine } from '../machine/machine-types.ts';
import { type ContainerSubject, measureContainers } from './bench-containers.ts';
import { type DiskSubject, measureDisk } from './bench-disk.ts';
import { type FsSubject, measureFs } from './bench-fs.ts';
import { loadBenchProgram, loadTwin, loadWorkloadImage } from './bench-programs.ts';

/** Instructions of one run of a loop: a few tenths of a second, long against start-up and clock. */
const LOOP_INSTRUCTIONS = 100_000_000;
/** A guest that has not booted by then will not. */
const BOOT_TIMEOUT_MS = 120_000;
/** A workload runs once to warm up, and once to be measured. */
const PASSES = 2;

/** A benchmark's unit, and what it measures. */
export type Subject =
  | { kind: 'loop'; name: string }
  | { kind: 'workload'; name: string; workload: Workload }
  | { kind: 'boot'; name: string }
  | ContainerSubject
  | FsSubject
  | DiskSubject;

export type Unit = 'MIPS' | 'ms' | DiskSubject['unit'];

/** Loops and disks are better the higher, the others the lower. */
export function unitOf(subject: Subject): Unit {
  if (subject.kind === 'disk') return subject.unit;
  return subject.kind === 'loop' ? 'MIPS' : 'ms';
}

export interface Sample {
  /** In the subject's unit (unitOf). */
  value: number;
  /** Milliseconds of the Wasm twin, run just before, for a workload. */
  twin?: number;
  instructions: number;
  engine: string;
}

/** Measures once. */
export function measure(subject: Subject, engine: Engine): Promise<Sample> {
  switch (subject.kind) {
    case 'loop':
      return measureLoop(subject.name, engine);
    case 'workload':
      return measureWorkload(subject.workload, engine);
    case 'boot':
      return measureBoot(subject.name, engine);
    case 'disk':
      return measureDisk(subject, engine);
    case 'fs':
      return measureFs(subject, engine);
    case 'container':
      return measureContainers(subject, engine);
  }
}

async function measureLoop(name: string, engine: Engine): Promise<Sample> {
  const hypervisor = new Hypervisor();
  try {
    const bios = await loadBenchProgram(name);
    const vm = await hypervisor.create({
      bios,
      engine,
      memory: '64M',
      name,
      maxInstructions: LOOP_INSTRUCTIONS,
    });
    await vm.start();
    const reason = await vm.wait();
    const stats = await vm.stats();
    if (reason.kind !== 'limit') throw new Error(`the loop ${name} ended with '${reason.kind}'`);
    return {
      value: stats.instructions / stats.busyMs / 1000,
      instructions: stats.instructions,
      engine: stats.engine,
    };
  } finally {
    await hypervisor.destroyAll();
  }
}

async function measureWorkload(workload: Workload, engine: Engine): Promise<Sample> {
  const twin = last(await runTwin(await loadTwin(workload), workload.n, PASSES), workload);
  const hypervisor = new Hypervisor();
  try {
    const bios = await loadWorkloadImage(workload, PASSES);
    const vm = await hypervisor.create({ bios, engine, memory: '64M', name: workload.name });
    let output = '';
    vm.console().onData((bytes) => {
      output += new TextDecoder().decode(bytes);
    });
    await vm.start();
    const reason = await vm.wait();
    if (reason.kind !== 'poweroff') {
      throw new Error(`the workload ${workload.name} did not end: ${describeReason(reason)}`);
    }
    const { instructions, engine: used } = await vm.stats();
    const { ms } = last(parsePasses(output, PASSES), workload);
    return { value: ms, twin: twin.ms, instructions, engine: used };
  } finally {
    await hypervisor.destroyAll();
  }
}

/** The measured pass; a wrong result is no result. */
function last(passes: readonly WorkloadPass[], { name, checksum }: Workload): WorkloadPass {
  const wrong = passes.find((pass) => pass.checksum !== checksum);
  if (wrong !== undefined) {
    throw new Error(`the workload ${name} gave ${wrong.checksum} instead of ${checksum}`);
  }
  return passes.at(-1)!;
}

async function measureBoot(name: string, engine: Engine): Promise<Sample> {
  const hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
  try {
    const vm = await hypervisor.create({ guest: name, engine });
    const start = performance.now();
    await vm.start();
    const value = (await waitForPrompt(vm, { timeoutMs: BOOT_TIMEOUT_MS })) - start;
    const { instructions, engine: used } = await vm.stats();
    return { value, instructions, engine: used };
  } finally {
    await hypervisor.destroyAll();
  }
}
