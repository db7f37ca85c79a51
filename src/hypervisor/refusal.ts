import { FileError, HypertabError, ImageError, OptionError, WorkerLostError } from './errors.ts';
import { SnapshotError } from './snapshot-error.ts';

/** The error a refused configuration is reported as; Comlink keeps names and messages, not classes. */
export function refusal(error: unknown, memory: number): unknown {
  if (!(error instanceof Error) || error instanceof HypertabError || error instanceof WorkerLostError)
    return error;
  if (error.name === 'HtvmError') return new SnapshotError('damaged', error.message);
  if (error.name === 'MachineStateError') return new SnapshotError('configuration', error.message);
  if (error.name === 'DriveMovedError') return new SnapshotError('configuration', error.message);
  if (error.name === 'LoadError') return new ImageError(error.message);
  if (['ShareError', 'StorageError', 'DamagedFileError', 'FolderError'].includes(error.name))
    return new FileError(error.message);
  if (error.name === 'ConfigError') return new OptionError(error.message);
  if (error instanceof RangeError || error.name === 'RangeError') {
    return new OptionError(
      `memory: this host cannot give a machine ${memory / 1024 ** 2} MiB (${error.message}); ask for less`,
    );
  }
  return error;
}
