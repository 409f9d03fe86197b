import { isGrpcServiceError, type Client, type Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { ShoalError } from '../domain/errors';
import { SEARCH_ATTRIBUTES } from '../workflows/searchAttributes';
import { STATUS } from './grpcStatus';

const NOT_OURS_TO_DO = [STATUS.permissionDenied, STATUS.unimplemented, STATUS.unauthenticated];

/**
 * Makes Shoal's search attributes known to a namespace; those it has already are left alone. Workflows can't go on without them.
 * Throws SERVER_REFUSED where that is for somebody else to do.
 */
export async function registerSearchAttributes(client: Client, namespace: string): Promise<void> {
  const { operatorService } = client.connection as Connection;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = SEARCH_ATTRIBUTES.filter(({ name }) => !(name in (customAttributes ?? {})));
    if (missing.length === 0) return;
    await operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name }) => [name, temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD])),
    });
  } catch (cause) {
    if (!isGrpcServiceError(cause)) throw cause;
    // Another worker was quicker.
    if (cause.code === STATUS.alreadyExists) return;
    if (!NOT_OURS_TO_DO.includes(cause.code)) throw cause;
    throw new ShoalError('SERVER_REFUSED', `The search attributes of Shoal can't be made known to the namespace ${namespace}: ${cause.details}.`, {
      remedy: `Have somebody who may run: temporal operator search-attribute create --namespace ${namespace} ${SEARCH_ATTRIBUTES.map(({ name }) => `--name ${name} --type Keyword`).join(' ')}`,
      details: { namespace }, cause,
    });
  }
}
