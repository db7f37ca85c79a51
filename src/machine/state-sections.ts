// A machine's parts and the sections of a saved state: each part writes its own, and all are checked before any is
// taken over.
import { StateFormatError, type Stateful, StateReader, saveBytes } from '../core/state-bytes.ts';
import { MachineStateError, type StateSection } from './machine-state.ts';

/** Parts by the names of their sections, in the order in which they are checked and taken over. */
export type StateParts = ReadonlyMap<string, Stateful>;

/** A section for each part. */
export function saveSections(parts: StateParts): StateSection[] {
  return [...parts].map(([name, part]) => ({ name, version: part.stateVersion, bytes: saveBytes(part) }));
}

/**
 * Checks all sections; what comes back takes them over, once the parts have been reset.
 * @throws MachineStateError
 */
export function loadSections(parts: StateParts, sections: readonly StateSection[]): () => void {
  const byName = new Map<string, StateSection>();
  for (const section of sections) {
    const { name } = section;
    if (byName.has(name)) throw new MachineStateError('damaged', name, 'it is there twice');
    if (!parts.has(name)) {
      throw new MachineStateError('unknown', name, 'this machine has no such part; give it the saved one’s');
    }
    byName.set(name, section);
  }
  const steps: (() => void)[] = [];
  for (const [name, part] of parts) {
    const section = byName.get(name);
    if (!section) {
      throw new MachineStateError('missing', name, 'it is not there; leave the part out of this machine');
    }
    steps.push(loadSection(part, section));
  }
  return () => {
    for (const step of steps) step();
  };
}

function loadSection(part: Stateful, { name, version, bytes }: StateSection): () => void {
  if (!Number.isInteger(version) || version < 1 || version > part.stateVersion) {
    const known = part.stateVersion === 1 ? 'version 1' : `versions 1 to ${part.stateVersion}`;
    throw new MachineStateError('version', name, `it has version ${version}, and only ${known} can be read`);
  }
  try {
    const reader = new StateReader(bytes, version);
    const takeOver = part.loadState(reader);
    reader.end();
    return takeOver;
  } catch (error) {
    if (!(error instanceof StateFormatError)) throw error;
    throw new MachineStateError(error.fault, name, error.message);
  }
}
