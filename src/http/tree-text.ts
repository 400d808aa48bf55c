import type { TreeNode } from '../actors/kernel/protocol.js';

/** The supervision tree for people: one line a node, then why it last went down. */
export function treeText(root: TreeNode): string {
  const rows: Row[] = [];
  collect(root, '', '', rows);
  const width = Math.max(...rows.map((row) => row.name.length));
  return rows.map((row) => `${row.name.padEnd(width)}  ${row.figures}`.trimEnd()).join('\n');
}

interface Row {
  readonly name: string;
  readonly figures: string;
}

function collect(node: TreeNode, branch: string, indent: string, rows: Row[]): void {
  rows.push({ name: `${branch}${node.id}`, figures: figures(node) });
  const children = node.children ?? [];
  for (const [index, child] of children.entries()) {
    const last = index === children.length - 1;
    collect(child, `${indent}${last ? '└─ ' : '├─ '}`, `${indent}${last ? '   ' : '│  '}`, rows);
  }
}

function figures(node: TreeNode): string {
  const parts = [node.state.padEnd(8)];
  if (node.strategy !== undefined) parts.push(node.strategy);
  if (node.upMs !== undefined) parts.push(`up ${duration(node.upMs)}`);
  if (node.restarts > 0) parts.push(`restarts ${node.restarts}`);
  if (node.heapUsedBytes !== undefined && node.heapLimitBytes !== undefined) {
    parts.push(`heap ${megabytes(node.heapUsedBytes)}/${megabytes(node.heapLimitBytes)} MB`);
  }
  if (node.eventLoopUse !== undefined) parts.push(`loop ${Math.round(node.eventLoopUse * 100)} %`);
  if (node.mailbox !== undefined) parts.push(`mailbox ${node.mailbox}`);
  if (node.lastExit !== undefined)
    parts.push(`last exit ${node.lastExit.code}: ${firstLine(node.lastExit.message)}`);
  return parts.join('  ');
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  const hours = Math.floor(seconds / 3600);
  return hours < 24
    ? `${hours}h${Math.floor(seconds / 60) % 60}m`
    : `${Math.floor(hours / 24)}d${hours % 24}h`;
}

const MAX_MESSAGE = 120;

function firstLine(message: string): string {
  const line = message.split('\n', 1)[0] ?? '';
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line;
}
