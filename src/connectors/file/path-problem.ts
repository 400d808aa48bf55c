/** What stands in a configuration and looks like a path, but would name a file that nobody meant. */
export function pathProblem(path: string): string | null {
  if (/^(['"]).*\1$/.test(path)) return 'a path stands there without quotation marks';
  if (/^~/.test(path)) return '~ is a matter of the shell: write the whole path, from /';
  if (/^\$(\w+|\{\w+\})[/\\]/.test(path)) return 'variables are not replaced: write the whole path, from /';
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return 'this is a URL: write the path of a file on this machine';
  if (process.platform !== 'win32' && /^([a-z]:[/\\]|\\\\)/i.test(path))
    return 'this is a path of Windows, and this node does not run there';
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'a path has no line breaks and other control characters';
  return null;
}
