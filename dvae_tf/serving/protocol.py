"""What client and server share: limits, status codes, the error of a request."""

import base64

import numpy as np

# The largest request or response, in bytes.
MOST_BYTES = 64 * 2**20
# gRPC's status codes as TF Serving gives them over REST.
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 413,
    "UNAVAILABLE": 503,
}


class RequestError(Exception):
    """An error in a request.

    Args:
        code: str, the name of a gRPC status code, such as "INVALID_ARGUMENT".
        message: str.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def as_json(value):
    """Converts an array, or bytes, to its JSON form in a request.

    Args:
        value: array (of objects: of bytes), number or bytes.

    Returns:
        list, number or dict, ready for JSON.

    Examples:
        >>> as_json(np.array([1.0, 2.0]))
        [1.0, 2.0]
    """
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    value = np.asarray(value)
    return [as_json(content) for content in value] if value.dtype == object else value.tolist()
