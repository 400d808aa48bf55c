/** A thread that plays one large cluster. What it leaves behind has timers of its own: it is to be terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import { ScaleSimulation, type ScaleSettings } from './scale.js';

export type ScalePlay = Omit<ScaleSettings, 'onPhase'>;

parentPort?.postMessage(await new ScaleSimulation(workerData as ScalePlay).run());
