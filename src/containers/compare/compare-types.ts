// The same program as a virtual machine of its own and as a container: what is measured of each.

import { HypertabError } from '../../hypervisor/errors.ts';
import type { Hypervisor } from '../../hypervisor/hypervisor.ts';
import type { ContainerEngine } from '../engine/engine.ts';
import type { Images } from '../images/types.ts';

/** A program that is compared. */
export interface CompareProgram {
  name: string;
  title: string;
  /** The image whose files it runs from, on both sides. */
  image: string;
  /** For the image's own sh; it may leave processes behind. Its current directory is empty. */
  script: string;
}

/** What one side took; each figure is the median of the runs. */
export interface SideFigures {
  /** Milliseconds from nothing (a VM), or from a container host that runs (a container), to the program's first word. */
  startMs: number;
  startInstructions: number;
  /** Milliseconds of the program itself, from then on. */
  runMs: number;
  runInstructions: number;
  /** Milliseconds of the host's processor in that time. */
  runCpuMs: number;
  /** Bytes of guest memory that cannot be had for anything else while the program's processes are there. */
  memoryBytes: number;
  /** Bytes that are kept for it alone, beyond what all containers share: files of the guest, and the image. */
  diskBytes: number;
  /** How many of it fit into 1 GiB of memory, a container's host included. */
  fitInGiB: number;
}

export interface ComparedProgram {
  name: string;
  title: string;
  image: string;
  vm: SideFigures;
  container: SideFigures;
  /** What the container took of the VM's: instructions and processor time of the program itself, less is better. */
  instructionRatio: number;
  cpuRatio: number;
}

/** What all containers share. */
export interface HostFigures {
  /** Milliseconds until it answered; next to nothing where it ran already. */
  startMs: number;
  /** Bytes of memory that cannot be had for anything else, before any container. */
  memoryBytes: number;
  diskBytes: number;
  /** Bytes of it that one container takes that only waits. */
  idleContainerBytes: number;
}

export interface Comparison {
  /** RFC 3339. */
  measuredAt: string;
  runs: number;
  host: HostFigures;
  programs: ComparedProgram[];
}

export interface CompareProgress {
  program: string;
  side: 'vm' | 'container';
  /** From 1. */
  run: number;
  runs: number;
}

export interface CompareOptions {
  hypervisor: Hypervisor;
  engine: ContainerEngine;
  images: Pick<Images, 'rootfs' | 'inspect'>;
  /** Gets an image that is not in the store; default: the comparison fails. */
  fetchImage?: (name: string) => Promise<void>;
  /** Names of COMPARE_PROGRAMS; default: all. */
  programs?: readonly string[];
  /** Default 3. */
  runs?: number;
  /** Bytes of a prepared guest's files; default: not known, and not counted. */
  guestBytes?: (guest: string) => Promise<number | undefined>;
  onProgress?: (progress: CompareProgress) => void;
  signal?: AbortSignal;
}

/** A program cannot be compared: the message says which, on which side, and what it said. */
export class CompareError extends HypertabError {
  override name = 'CompareError';
}
