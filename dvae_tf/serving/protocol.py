"""Constants that client and server share."""

# The largest request or response, in bytes.
MOST_BYTES = 64 * 2**20
# gRPC's status codes as TF Serving gives them over REST.
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 413,
    "UNAVAILABLE": 503,
}
