/** Functions: their types; their bodies are for check/statements.ts. */

import type ts from 'typescript';
import { placeOf } from '../parse/modules.ts';
import type { FunctionDeclaration, Local } from '../tree.ts';
import { errorType, type Type, voidType } from '../types.ts';
import { type Context, type FunctionSymbol, moduleContext, place, report } from './context.ts';
import { parameterType, requireValue, typeFrom } from './types.ts';

/** Its body is checked later, so that functions may call each other. */
export function functionDeclaration(context: Context, symbol: FunctionSymbol): FunctionDeclaration {
  if (symbol.declaration === undefined) {
    const { checker } = context;
    symbol.declaration = declare(moduleContext(checker, symbol.module), symbol);
    checker.functions.push(symbol.declaration);
    checker.queue.push({ symbol, declaration: symbol.declaration });
  }
  return symbol.declaration;
}

function declare(context: Context, symbol: FunctionSymbol): FunctionDeclaration {
  const { node, module, name, tags, exported } = symbol;
  if (node.typeParameters !== undefined) {
    const instead = 'write the function for the type that it is used with';
    report(context, node, 'MU101', { what: 'a generic function', instead });
  }
  const parameters: Local[] = node.parameters.map((parameter) => ({
    kind: 'local',
    name: parameter.name.getText(),
    type: parameterType(context, parameter),
    place: place(context, parameter),
    mutable: true,
    addressed: false,
  }));
  const types = parameters.map(({ type }) => type);
  return {
    kind: 'function',
    name,
    module: module.name,
    place: placeOf(node.name ?? node, module.file),
    type: context.checker.types.function(types, resultType(context, node)),
    parameters,
    body: undefined,
    end: endOf(node, module.file),
    tags,
    exported,
    external: false,
  };
}

function resultType(context: Context, node: ts.FunctionDeclaration): Type {
  if (node.type === undefined) {
    const name = node.name?.text ?? '';
    report(context, node.name ?? node, 'MU316', {
      what: `the result of "${name}"`,
      example: `function ${name}(…): void`,
    });
    return errorType;
  }
  const type = typeFrom(context, node.type);
  if (type === voidType || type.kind === 'never') return type;
  return requireValue(context, node.type, type, 'a result');
}

function endOf(node: ts.Node, file: string) {
  const source = node.getSourceFile();
  const { line, character } = source.getLineAndCharacterOfPosition(node.getEnd());
  return { file, line: line + 1, column: character };
}
