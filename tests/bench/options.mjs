// Options of a bench's command line.
import { parseArgs } from 'node:util';

/**
 * `parseArgs`, but for an option that it does not know: that ends the process with a line that names it, status 2.
 * @template {import('node:util').ParseArgsConfig} Config
 * @param {string} name of the bench
 * @param {Config} config
 * @returns {ReturnType<typeof parseArgs<Config>>}
 */
export function readOptions(name, config) {
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    process.exit(2);
  }
}
