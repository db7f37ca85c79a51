import { createServer, type Socket } from 'node:net';
import type { PortPublisher, PublishedConnection } from './container-ports.ts';
import { EngineError } from './engine-error.ts';

/** Listens at addresses of this computer. */
export const nodePublisher: PortPublisher = {
  listen: async (address, port, accept) => {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // What goes wrong is told by the end of the input.
      socket.on('error', () => socket.destroy());
      accept(connectionOf(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          new EngineError(500, `Bind for ${address}:${port} failed: ${reasonOf(error)}`, { cause: error }),
        );
      });
      server.listen({ host: address, port, exclusive: true }, resolve);
    });
    const bound = server.address();
    return {
      port: typeof bound === 'object' && bound !== null ? bound.port : port,
      close: () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  },
};

function connectionOf(socket: Socket): PublishedConnection {
  return {
    input: socket,
    write: (bytes) => {
      if (socket.destroyed) return Promise.resolve();
      if (socket.write(bytes)) return Promise.resolve();
      return new Promise((resolve) => {
        const go = () => {
          socket.off('drain', go);
          socket.off('close', go);
          resolve();
        };
        socket.once('drain', go);
        socket.once('close', go);
      });
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'port is already allocated';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'cannot assign requested address';
  return message;
}
