/** The supervision tree for people. */
import type { TreeNode } from '../actors/kernel/protocol.js';

const MIB = 1024 * 1024;

export function treeText(root: TreeNode): string {
  const lines: string[] = [];
  addNode(lines, root, '', '');
  return `${lines.join('\n')}\n`;
}

function addNode(lines: string[], node: TreeNode, first: string, rest: string): void {
  lines.push(`${first}${node.id}  ${[node.state, ...facts(node)].join('  ')}`);
  const children = node.children ?? [];
  children.forEach((child, at) => {
    const last = at === children.length - 1;
    addNode(lines, child, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
  });
}

/** Only what is known: a thread that does not answer shows no figures. */
function facts(node: TreeNode): readonly string[] {
  return [
    node.strategy,
    node.restarts > 0 ? `restarts=${node.restarts}` : undefined,
    node.heapUsedBytes === undefined ? undefined : `heap=${heap(node.heapUsedBytes, node.heapLimitBytes)}`,
    node.eventLoopUse === undefined ? undefined : `busy=${Math.round(node.eventLoopUse * 100)}%`,
    node.mailbox === undefined ? undefined : `mailbox=${node.mailbox}`,
    node.upMs === undefined ? undefined : `up=${Math.round(node.upMs / 1000)}s`,
    node.lastExit === undefined
      ? undefined
      : `last exit: ${node.lastExit.code}: ${node.lastExit.message.split('\n', 1)[0] ?? ''}`,
  ].filter((fact) => fact !== undefined);
}

function heap(used: number, limit: number | undefined): string {
  const megabytes = `${Math.round(used / MIB)}`;
  return limit === undefined ? `${megabytes} MiB` : `${megabytes}/${Math.round(limit / MIB)} MiB`;
}
