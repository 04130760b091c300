"""One router per kind of thing. ``ROUTERS`` is all of them, in the order of the API's description."""

from layerloom.api.routes import (
    catalogue,
    checkpoints,
    datasets,
    exports,
    graphs,
    imports,
    lab,
    networks,
    own_layers,
    runs,
    session,
    stream,
    system,
    worker,
)

ROUTERS = (
    catalogue.router,
    own_layers.router,
    graphs.router,
    imports.router,
    lab.router,
    networks.router,
    datasets.router,
    runs.router,
    checkpoints.router,
    exports.router,
    stream.router,
    worker.router,
    session.router,
    system.router,
)
