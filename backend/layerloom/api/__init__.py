"""The HTTP and websocket face of the service: routers, one error shape, and who may ask."""
