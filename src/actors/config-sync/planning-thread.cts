/**
 * What piscina loads in its threads, a promise of the function that does a job. It is CommonJS, as piscina tries `require` first: of an
 * ES module Node would load everything in that one call, and abort the whole process where the thread is ended meanwhile.
 */
export = { __esModule: true, default: import('./planning-job.js').then((module) => module.default) };
