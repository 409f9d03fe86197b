import { DefaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';

/** Stands for a message's data that can't be read. No shape has it. */
export class Unreadable {
  constructor(readonly why: string) {}
}

/**
 * The payloads of workflows: the SDK's, but what was sent to a workflow and can't be read (encrypted for somebody else, broken) is handed to who it is
 * for as `Unreadable`. The SDK would fail the workflow's task, for ever, and nobody's message would be heard any more. Programs and activities keep the
 * SDK's own converter, and what activities answer is read as strictly as there.
 */
class LenientPayloadConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload, context?: SerializationContext): T {
    if (context?.type !== 'workflow') return super.fromPayload(payload, context);
    try {
      return super.fromPayload(payload, context);
    } catch (error) {
      return new Unreadable(error instanceof Error ? error.message : String(error)) as T;
    }
  }
}

export const payloadConverter = new LenientPayloadConverter();
