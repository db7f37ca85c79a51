// npm start: install, build, prepare the default guest, serve the page.
import { build } from './build.mjs';
import { projectRoot, run, runMain } from './project.mjs';
import { readServeOptions, serve } from './serve.mjs';
import { setup } from './setup.mjs';

const cli = `${projectRoot}/build/src/cli/main.js`;
const toyGuests = ['hello', 'monitor', 'count'];

await runMain(async () => {
  const options = readServeOptions();
  await setup();
  await build();
  await run([process.execPath, cli, 'guest', 'prepare', ...toyGuests]);
  const { status } = await run([process.execPath, cli, 'guest', 'prepare', 'busybox']);
  if (status !== 0) {
    console.error(
      '\nThe Debian guest could not be prepared (the reason is above), so the page offers the toy guests only.\n' +
        'Later: npx hypertab guest prepare busybox, then reload the page.',
    );
  }
  await serve(options);
});
