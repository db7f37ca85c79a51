import type { ContainerEngine } from '../engine/engine.ts';
import type { Images, RegistryCredentials } from '../images/types.ts';
import type { Flags, FlagTable } from './docker-flags.ts';
import type { DockerIo } from './docker-io.ts';

/** What a command of docker's works with. */
export interface DockerTask {
  engine: ContainerEngine;
  /** What of the store of images there is; commands that want more of it say so. */
  images: Pick<Images, 'inspect' | 'pull' | 'list'> & Partial<Images>;
  /** Fetches an image that is not there, and tells `io` how it goes on; default: from its registry. */
  fetchImage?: (reference: string, io: DockerIo) => Promise<void>;
  /** Who one is at the registry of an image; default: nobody. */
  credentials?: (reference: string) => Promise<RegistryCredentials | undefined>;
  /** False when the container host ends with the command: then nothing can be left running. */
  lasting: boolean;
  io: DockerIo;
}

export interface DockerCall extends DockerTask {
  command: string;
  flags: Flags;
}

/** One of docker's commands. */
export interface Command {
  usage: string;
  /** What it is for, as a sentence. */
  title: string;
  flags: FlagTable;
  /** Fewest and most words. */
  words: [least: number, most: number];
  /** Flags come before words only. */
  strict?: boolean;
  run(call: DockerCall): Promise<number>;
}
