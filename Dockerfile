# Spotter as an image: docker build -t spotter .    See docs/containers.md.
# Each stage's base is an argument, for mirrors and for bases of your own:
#   --build-arg BASE=IMAGE      what the program runs on: glibc, libssl, libstdc++, CA certificates; no shell is needed
#   --build-arg SDK=IMAGE       .NET 10 SDK            --build-arg NODE=IMAGE     Node.js 20 or newer
#   --build-arg ENGINE=gpu      ONNX Runtime for CUDA and TensorRT; BASE then has to bring CUDA and cuDNN
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0-noble
ARG NODE=docker.io/library/node:22-bookworm-slim
ARG BASE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled

FROM ${NODE} AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY web ./
RUN npm run build

FROM ${SDK} AS build
ARG ENGINE=cpu
WORKDIR /src
COPY .config .config
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY models models
COPY src src
# The font for labels comes with the page's packages.
COPY --from=page /src/web/node_modules/dejavu-fonts-ttf web/node_modules/dejavu-fonts-ttf
COPY --from=page /src/src/Spotter.Gateway/wwwroot src/Spotter.Gateway/wwwroot
COPY web/package.json web/package-lock.json web/
# Without the lock files, which know no platform (.dockerignore); the versions are those of Directory.Packages.props.
RUN export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 \
  && if [ "$ENGINE" = gpu ]; then export SPOTTER_ONNXRUNTIME=gpu; fi \
  && dotnet publish src/Spotter.Cli -c Release --use-current-runtime --self-contained -p:PublishReadyToRun=true -p:DebugType=none \
    -p:RestorePackagesWithLockFile=false -p:UseSharedCompilation=false -o /release -v quiet -clp:NoSummary \
  && dotnet tool restore \
  && dotnet CycloneDX src/Spotter.Cli/Spotter.Cli.csproj --recursive --disable-package-restore --output-format Json --output /release --filename sbom.cdx.json \
  && install -d -m 700 /empty

FROM ${BASE}
# What Directory.Build.props says; a label is all that it is for.
ARG VERSION=
LABEL org.opencontainers.image.title="Spotter" \
  org.opencontainers.image.description="Finds things in pictures: a queue, workers that follow the backlog, ONNX models" \
  org.opencontainers.image.version="${VERSION}"
COPY --from=build /release /opt/spotter
# Everything that is written lies in volumes; the rest may be read only.
COPY --from=build --chown=10001:10001 /empty /var/lib/spotter
ENV SPOTTER__DATA=/var/lib/spotter SPOTTER__HOST=0.0.0.0 HOME=/var/lib/spotter DOTNET_EnableDiagnostics=0
VOLUME ["/var/lib/spotter", "/tmp"]
USER 10001:10001
WORKDIR /var/lib/spotter
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/opt/spotter/spotter", "health"]
ENTRYPOINT ["/opt/spotter/spotter"]
CMD ["serve"]
