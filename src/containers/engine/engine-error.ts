import { HypertabError } from '../../hypervisor/errors.ts';

/** Why the engine refused, as a status of the Docker Engine API's. */
export type EngineStatus = 304 | 400 | 403 | 404 | 409 | 500 | 501;

/** The engine refused a call; the message is the one of the Docker Engine API where it has one. */
export class EngineError extends HypertabError {
  override name = 'EngineError';
  readonly status: EngineStatus;

  constructor(status: EngineStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export const noSuchContainer = (name: string) => new EngineError(404, `No such container: ${name}`);
export const notRunning = (name: string) => new EngineError(409, `container ${name} is not running`);
export const badParameter = (message: string) => new EngineError(400, message);
