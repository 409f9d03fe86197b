/** What a server answers a call with: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const STATUS = {
  invalidArgument: 3, deadlineExceeded: 4, notFound: 5, alreadyExists: 6, permissionDenied: 7, failedPrecondition: 9, unimplemented: 12, unauthenticated: 16,
};
