using Colours;
using Spotter.Engine;

return await EngineProgram.RunAsync(args, new ColoursEngine());
