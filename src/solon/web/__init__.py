"""The web application: sites that are served, each page made from the same functions as the command line's files.

Read in the order in which a request walks:

    serve         the server, started with nothing to configure
    app           the application: middleware, routes, what is answered when something fails
    routing       from a request to a handler: body, session, forgery, role, transaction; the one place for all of them
    visit         what a handler is given
    parts         a page that takes long: what is computed in the site's line, sent part by part
    runs          the folder of runs: which there are
    modelling     the models that a site holds, and the line before them
    kept          what is worked out once, models among it
    chat/, lab/   talking to the models of a run; trying a principle on them
    members/      who runs the site: one-time links, roles
    db/           tables, migrations, and all SQL
    pages         templates, the style sheet, the script

A handler is a plain function from a `Visit` to a response. It reads the form, calls `db`, `collective` or `report`, and
renders. Nothing here computes.

Starlette, not FastAPI: pages are rendered and forms are posted, so there is no schema to publish and nothing to inject.
"""
