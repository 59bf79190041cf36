/**
 * Functions: their types, and an instance for every combination of type arguments that the program
 * uses.
 */

import type ts from 'typescript';
import { placeOf } from '../parse/modules.ts';
import type { FunctionInstance, Local } from '../tree.ts';
import { errorType, identity, type Type, voidType } from '../types.ts';
import { type Context, type FunctionSymbol, moduleContext, place, report } from './context.ts';
import { parameterType, requireValue, typeFrom } from './types.ts';

/** More instances of one function than this: it feeds itself ever larger types. */
const MOST_INSTANCES = 200;

/** The context in which a function's types and body are read. */
export function functionContext(
  context: Context,
  symbol: FunctionSymbol,
  typeArguments: Type[],
): Context {
  const outer = moduleContext(context.checker, symbol.module);
  symbol.typeParameters.forEach((name, i) => {
    outer.typeArguments.set(name, typeArguments[i] ?? errorType);
  });
  return outer;
}

/**
 * The instance with these type arguments; its body is checked later, so that functions may call
 * each other.
 */
export function instanceOf(
  context: Context,
  symbol: FunctionSymbol,
  typeArguments: Type[],
  user: ts.Node,
): FunctionInstance | undefined {
  const key = typeArguments.map(identity).join();
  const known = symbol.instances.get(key);
  if (known !== undefined) return known;
  if (symbol.instances.size >= MOST_INSTANCES) {
    report(context, user, 'MU504', { name: symbol.name });
    return undefined;
  }
  const { node, module } = symbol;
  const inner = functionContext(context, symbol, typeArguments);
  const parameters: Local[] = node.parameters.map((parameter) => ({
    kind: 'local',
    name: parameter.name.getText(),
    type: parameterType(inner, parameter),
    place: place(inner, parameter),
    mutable: true,
    addressed: false,
  }));
  const result = resultType(inner, node);
  const { types } = context.checker;
  const instance: FunctionInstance = {
    kind: 'function',
    name: symbol.name,
    module: module.name,
    place: placeOf(node.name ?? node, module.file),
    type: types.function(
      parameters.map((parameter) => parameter.type),
      result,
    ),
    typeArguments,
    parameters,
    body: undefined,
    end: endOf(node, module.file),
    tags: symbol.tags,
    exported: symbol.exported,
    external: false,
  };
  symbol.instances.set(key, instance);
  context.checker.functions.push(instance);
  context.checker.queue.push({ symbol, instance });
  return instance;
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
