/**
 * The checkpoint's chat template, rendered as transformers renders it for a processor (jinja2 with trim_blocks and
 * lstrip_blocks). What a missing system message means is the template's own affair.
 */
import { Template } from '@huggingface/jinja';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { ChatMessage } from '../language-model.ts';
import { readJson, readOptional, type TokenizerConfig, textOfToken } from './tokenizer-files.ts';

export type ChatTemplate = (messages: readonly ChatMessage[]) => string;

/**
 * Finds and compiles the template. Order as transformers 5 has it for processors: the legacy chat_template.json wins
 * over chat_template.jinja; tokenizer_config.json is the last resort.
 * Throws 'checkpoint-missing-file' when there is none, 'checkpoint-malformed' when it does not parse.
 */
export async function loadChatTemplate(folder: string, config: TokenizerConfig): Promise<ChatTemplate> {
  const { source, file } = await findTemplate(folder, config);
  let template: Template;
  try {
    template = new Template(source);
  } catch (thrown) {
    throw new ReadroomError('checkpoint-malformed', `The chat template in ${file} does not parse.`, {
      file,
      detail: toReadroomError(thrown).message,
      remedy: 'Copy the file again from the original checkpoint.',
    });
  }
  const variables = specialTokenVariables(config);
  return (messages) => {
    try {
      return template.render({
        ...variables,
        messages: messages.map(toTemplateMessage),
        add_generation_prompt: true,
      });
    } catch (thrown) {
      throw new ReadroomError(
        'checkpoint-malformed',
        `The chat template in ${file} refuses this conversation.`,
        {
          file,
          detail: toReadroomError(thrown).message,
        },
      );
    }
  };
}

async function findTemplate(
  folder: string,
  config: TokenizerConfig,
): Promise<{ source: string; file: string }> {
  const legacy = await readJson(folder, 'chat_template.json', { optional: true });
  if (legacy !== undefined) {
    const source = defaultTemplate((legacy as { chat_template?: unknown } | null)?.chat_template);
    if (source !== undefined) return { source, file: 'chat_template.json' };
    throw new ReadroomError(
      'checkpoint-malformed',
      'chat_template.json has no text in its field chat_template.',
      {
        file: 'chat_template.json',
        field: 'chat_template',
      },
    );
  }
  const plain = await readOptional(folder, 'chat_template.jinja');
  if (plain !== undefined) return { source: plain, file: 'chat_template.jinja' };
  const embedded = defaultTemplate(config.chat_template);
  if (embedded !== undefined) return { source: embedded, file: 'tokenizer_config.json' };
  throw new ReadroomError(
    'checkpoint-missing-file',
    'The checkpoint has no chat template: no chat_template.jinja, no chat_template.json and none in tokenizer_config.json.',
    {
      file: 'chat_template.jinja',
      remedy: 'Copy chat_template.jinja or chat_template.json from the original checkpoint.',
    },
  );
}

/** A template is a text, or a list of named ones of which 'default' is meant. */
function defaultTemplate(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  for (const entry of value as { name?: unknown; template?: unknown }[]) {
    if (entry?.name === 'default' && typeof entry.template === 'string') return entry.template;
  }
  return undefined;
}

/** Templates test either `type` or the presence of the key `image`; the reference's own messages have both. */
function toTemplateMessage(message: ChatMessage): Record<string, unknown> {
  if (typeof message.content === 'string') return { role: message.role, content: message.content };
  const content = message.content.map((part) =>
    part.type === 'text' ? { type: 'text', text: part.text } : { type: 'image', image: 'image' },
  );
  return { role: message.role, content };
}

function specialTokenVariables(config: TokenizerConfig): Record<string, unknown> {
  const variables: Record<string, unknown> = {};
  for (const name of ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const) {
    const token = textOfToken(config[name]);
    if (token !== undefined) variables[name] = token;
  }
  return variables;
}
