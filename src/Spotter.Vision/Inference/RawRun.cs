using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Spotter.Core;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Inference;

/// <summary>A tensor that goes into a model.</summary>
/// <param name="Port">Which input it is for, its type and its shape.</param>
/// <param name="Bytes">Its elements row by row, little-endian.</param>
public sealed record RawTensor(TensorPort Port, ReadOnlyMemory<byte> Bytes);

/// <summary>Takes a tensor that a model gave.</summary>
/// <param name="port">Its name, type and shape.</param>
/// <param name="bytes">Its elements row by row, little-endian; gone when this returns.</param>
public delegate void RawTensorAction(TensorPort port, ReadOnlySpan<byte> bytes);

/// <summary>One run of a model on tensors as they are.</summary>
internal static unsafe class RawRun
{
    public static void Run(OrtSession session, ModelInfo model, IReadOnlyList<RawTensor> inputs, IReadOnlyList<string> outputs, RawTensorAction onOutput, CancellationToken cancel)
    {
        var declared = model.Tensors ?? throw Invalid(model, "takes or gives something else than numbers, so that only pictures can be sent to it");
        var ordered = declared.Inputs.Select(port => Fitting(model, port, inputs)).ToList();
        if (inputs.FirstOrDefault(i => declared.Inputs.All(port => port.Name != i.Port.Name)) is { } stray)
            throw Invalid(model, $"has no input '{stray.Port.Name}'");
        var wanted = (outputs.Count == 0 ? declared.Outputs.Select(o => o.Name) : outputs)
            .Select(name => declared.Outputs.Select(o => o.Name).ToList().IndexOf(name) is >= 0 and var index ? index : throw Invalid(model, $"has no output '{name}'")).ToArray();

        var pins = new List<MemoryHandle>();
        var tensors = new List<OrtValue>();
        try
        {
            foreach (var (input, place) in ordered.Select((tensor, i) => (tensor, i)))
            {
                pins.Add(input.Bytes.Pin());
                tensors.Add(OrtPort.Tensor(session.Inputs[place].Type, [.. input.Port.Shape], pins[^1].Pointer));
            }
            using var run = session.Run(tensors, wanted, cancel);
            for (var i = 0; i < wanted.Length; i++)
                onOutput(new TensorPort(declared.Outputs[wanted[i]].Name, OrtPort.DatatypeOf(run[i].Type) ?? declared.Outputs[wanted[i]].Datatype, run[i].Shape), run[i].Bytes);
        }
        catch (OnnxRuntimeException e)
        {
            throw new SpotterException(ErrorCodes.ModelOutputInvalid, $"{model.Id} can't be run on these tensors: {LoadFailure.Reason(e)}.", e);
        }
        finally
        {
            foreach (var tensor in tensors)
                tensor.Dispose();
            foreach (var pin in pins)
                pin.Dispose();
        }
    }

    private static RawTensor Fitting(ModelInfo model, TensorPort port, IReadOnlyList<RawTensor> inputs)
    {
        var tensor = inputs.FirstOrDefault(i => i.Port.Name == port.Name) ?? throw Invalid(model, $"needs the input {port}");
        return tensor.Port.Datatype == port.Datatype && port.Takes(tensor.Port.Shape) && tensor.Port.Bytes == tensor.Bytes.Length
            ? tensor
            : throw Invalid(model, $"takes {port}; {tensor.Port} with {tensor.Bytes.Length} bytes was sent");
    }

    private static SpotterException Invalid(ModelInfo model, string what) => new(ErrorCodes.InvalidRequest, $"The model '{model.Id}' {what}.");
}
