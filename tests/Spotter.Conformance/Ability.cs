using Xunit.Abstractions;
using Xunit.Sdk;

namespace Spotter.Conformance;

/// <summary>What not every store can do. The facts that need it are reported as skipped where it is missing.</summary>
public enum Ability
{
    /// <summary>Within a level of priority the job that has been due longest goes first, and places in the line are counted.</summary>
    Order,

    /// <summary>Levels of priority are looked through in the order that a take asks for.</summary>
    Priorities,

    /// <summary>A launcher learns when a worker ends, and how.</summary>
    Ends,
}

/// <summary>Stands on a suite's subclass whose store or launcher lacks something.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class LacksAttribute(Ability ability, string why) : Attribute
{
    /// <summary>What it lacks.</summary>
    public Ability Ability => ability;

    /// <summary>Why, in one sentence.</summary>
    public string Why => why;
}

/// <summary>A fact about those that have an ability; counted as skipped for those that lack it.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Spotter.Conformance.NeedsDiscoverer", "Spotter.Conformance")]
public sealed class FactThatNeedsAttribute(Ability ability) : FactAttribute
{
    /// <summary>What it needs.</summary>
    public Ability Ability => ability;
}

/// <summary>Finds out whether the class that inherits a fact has what the fact needs.</summary>
public sealed class NeedsDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
    {
        var needed = ((FactThatNeedsAttribute)((IReflectionAttributeInfo)factAttribute).Attribute).Ability;
        var lack = testMethod.TestClass.Class.GetCustomAttributes(typeof(LacksAttribute))
            .Select(a => (LacksAttribute)((IReflectionAttributeInfo)a).Attribute).FirstOrDefault(l => l.Ability == needed);
        return lack is null
            ? base.CreateTestCase(discoveryOptions, testMethod, factAttribute)
            : new XunitSkippedDataRowTestCase(
                DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(),
                testMethod, $"{needed}: {lack.Why}");
    }
}
