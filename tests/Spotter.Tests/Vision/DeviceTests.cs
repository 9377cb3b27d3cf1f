using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

/// <summary>A device that isn't there is said, and its place taken by the processor. The build in use has none but that, on Linux.</summary>
public sealed class DeviceTests
{
    [LinuxTheory]
    [InlineData(Device.Cuda)]
    [InlineData(Device.TensorRt)]
    [InlineData(Device.DirectMl)]
    [InlineData(Device.CoreMl)]
    [InlineData(Device.OpenVino)]
    public void A_device_that_is_not_there_is_said_and_the_processor_runs_it(Device device)
    {
        using var file = new ModelFile(TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2, (16, 16, 8, 4, 1, 0.9f))], []));
        using var model = VisionModel.Load(file.Path, new VisionModelOptions { Device = device });

        model.Device.ShouldBe(Device.Cpu);
        model.NotOnDevice.ShouldNotBeNull().ShouldMatch($"is built for cpu.*, not for {device.ToString().ToLowerInvariant()}; build Spotter with SPOTTER_ONNXRUNTIME=gpu");
        model.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();
    }

    [Fact]
    public void The_processor_is_always_there()
    {
        using var model = ModelFile.Load(TestModels.Columns(2, (16, 16, 8, 4, 1, 0.9f)));

        (model.Device, model.NotOnDevice).ShouldBe((Device.Cpu, null));
    }
}
