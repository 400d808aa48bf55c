/** The thread of any actor whose spec names no file of its own. */
import { runThread } from './actor-host.js';

runThread();
