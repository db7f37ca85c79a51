import { runDocker } from '../containers/docker/docker-command.ts';
import { openImageStore } from '../containers/images/image-store-node.ts';
import { fetchImage, nodeEngine } from './docker-engine.ts';
import { nodeIo } from './docker-io-node.ts';
import { image } from './image.ts';

/** `hypertab docker`: in docker's words, in a container host of its own; returns the exit status. */
export async function docker(args: readonly string[]): Promise<number> {
  const images = openImageStore();
  const engine = nodeEngine(images);
  try {
    return await runDocker(
      {
        engine,
        images,
        fetchImage: (name) => fetchImage(images, name),
        imageCommand: image,
        lasting: false,
        io: nodeIo(),
      },
      args,
    );
  } finally {
    await engine.close();
  }
}
