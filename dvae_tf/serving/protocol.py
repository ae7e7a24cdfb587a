"""What both ends of the wire must agree on."""

# A request or an answer may be so large.
MOST_BYTES = 64 * 2**20
# gRPC's status codes as TF Serving gives them over REST.
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 413,
    "UNAVAILABLE": 503,
}
