# syntax=docker/dockerfile:1
# Loglytics in one image; the role is chosen by the command (`--roles serve`, `work`, `beat`; all by default). Redis and
# Postgres are given by REDIS_URL and DATABASE_URL: the image brings none.

FROM node:24-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# With optional packages, since the bundler's native parts are such.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts
COPY web web
# The dashboard shares types with the server.
COPY src src
RUN npx vite build web

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/data/compile \
    LOGLYTICS_DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8080
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY src src
COPY --from=page /app/web/dist web/dist
USER node
VOLUME /data
EXPOSE 8080
# SIGTERM drains: running jobs end, what is unsettled goes back to its queue.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "src/main.ts"]
