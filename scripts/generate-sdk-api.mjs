/** Writes docs/sdk.md, what authors of connectors build on, from the SDK's sources; --check: fails where the page says something else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const PAGE = fileURLToPath(new URL('../docs/sdk.md', import.meta.url));
const ENTRIES = [
  ['@troupe/sdk', '../src/sdk/index.ts'],
  ['@troupe/sdk/testing', '../src/sdk/testing/index.ts'],
].map(([name, path]) => [name, fileURLToPath(new URL(path, import.meta.url))]);
const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  types: ['node'],
};

const program = ts.createProgram(
  ENTRIES.map(([, path]) => path),
  OPTIONS,
);
const checker = program.getTypeChecker();

const mayChange = (symbol) => symbol.getJsDocTags(checker).some(({ name }) => name === 'experimental');

function sentence(symbol) {
  const text = ts
    .displayPartsToString(symbol.getDocumentationComment(checker))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return (/^.*?[.](?= |$)/.exec(text)?.[0] ?? text).replaceAll('|', '\\|');
}

function isHidden(declaration) {
  const flags = ts.getCombinedModifierFlags(declaration);
  const isPrivate = (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
  return isPrivate || (declaration.name !== undefined && ts.isPrivateIdentifier(declaration.name));
}

/** As in the source, without its comments and bodies. */
function signature(declaration) {
  const file = declaration.getSourceFile();
  const body = declaration.body ?? declaration.initializer;
  const end = body === undefined ? declaration.end : body.getFullStart();
  const text = file.text.slice(declaration.getStart(file), end);
  return text
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/( =>?|;|,)? *$/, '')
    .replace(/^(export |readonly |get |async )+/, (words) =>
      words.includes('readonly') || words.includes('get ') ? 'readonly ' : '',
    );
}

function membersOf(symbol) {
  const members = [];
  for (const declaration of symbol.declarations ?? []) {
    if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) continue;
    for (const member of declaration.members) {
      if (isHidden(member) || ts.isSemicolonClassElement(member) || ts.isClassStaticBlockDeclaration(member))
        continue;
      const of = member.name === undefined ? null : checker.getSymbolAtLocation(member.name);
      members.push(`  ${signature(member)};${of && mayChange(of) ? ' // may change' : ''}`);
    }
  }
  return members;
}

function heading(symbol) {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined) return '';
  if (ts.isInterfaceDeclaration(declaration) || ts.isClassDeclaration(declaration)) {
    const { name, heritageClauses = [], typeParameters } = declaration;
    const kind = ts.isInterfaceDeclaration(declaration) ? 'interface' : 'class';
    const types = typeParameters ? `<${typeParameters.map((each) => each.getText()).join(', ')}>` : '';
    return [`${kind} ${name?.text ?? ''}${types}`, ...heritageClauses.map((clause) => clause.getText())].join(
      ' ',
    );
  }
  if (ts.isVariableDeclaration(declaration)) {
    const type = checker.typeToString(
      checker.getTypeAtLocation(declaration),
      declaration,
      ts.TypeFormatFlags.None,
    );
    return `const ${symbol.name}: ${type}`;
  }
  return signature(declaration);
}

function described(symbol) {
  const of = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const members = membersOf(of);
  const code = members.length === 0 ? `${heading(of)};` : `${heading(of)} {\n${members.join('\n')}\n}`;
  const parts = [`### ${symbol.name}`, ''];
  const text = sentence(of);
  if (mayChange(of)) parts.push(`May change.${text === '' ? '' : ` ${text}`}`, '');
  else if (text !== '') parts.push(text, '');
  return [...parts, '```ts', code, '```', ''].join('\n');
}

const INTRO = `# The SDK, name by name

Made from the sources by \`npm run docs\`; what each thing means stands beside it in your editor, and [how to write a connector](writing-a-connector.md) shows how to use them.

What stands here is what connectors may build on. It is **stable**: a change that would break a connector comes with a new major version, is in the changelog, and where
that is possible the old way goes on working, with a warning, for one major version. New optional methods, fields and settings may come at any time; do not write tests that
fail on them. What is marked *may change* is new: it may still change in a minor version, with a line in the changelog. Whatever is not on this page,
files of the package among them, is nobody's to use.
`;

const page = [INTRO];
for (const [name, path] of ENTRIES) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(path));
  const names = checker.getExportsOfModule(module).sort((a, b) => (a.name < b.name ? -1 : 1));
  page.push(`## ${name}\n`, ...names.map(described));
}
const after = `${page.join('\n').trimEnd()}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(PAGE, 'utf8') !== after)
    throw new Error('docs/sdk.md is not what the SDK says: run npm run docs');
} else writeFileSync(PAGE, after);
